#!/usr/bin/env node
// Starts the hook program with its compiled code kept between runs: to compile it anew takes a quarter of a hook's time. The place is the user's own,
// never a shared one such as /tmp, because what lies there is run. Node 20 has no such cache, and does without.
const { homedir } = require("node:os");
const { join } = require("node:path");

try {
  require("node:module").enableCompileCache?.(join(homedir(), ".claude", "pool", "cache"));
} catch {
  // No home, or none that can be written: the program runs all the same.
}
require("./program.cjs");
