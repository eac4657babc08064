#!/usr/bin/env node
// The only file that an old Node reads: syntax of 2017, nothing imported before the version is known, and valid both as a
// script and as a module, because an old Node does not know `"type": "module"`.
/* The same range as `engines` in package.json; a test holds the two equal. */
var floor = "Node 22.22.3 or newer in the 22 line, or 24.15 or newer";

function isSupported(version) {
  var parts = version.split(".").map(Number);
  function atLeast(minor, patch) {
    return parts[1] > minor || (parts[1] === minor && parts[2] >= patch);
  }
  if (parts[0] === 22) return atLeast(22, 3);
  if (parts[0] === 24) return atLeast(15, 0);
  return parts[0] > 24;
}

function main() {
  // Node 22 calls its SQLite experimental at every start; what matters, its version, is checked when the store is opened.
  var emitWarning = process.emitWarning;
  process.emitWarning = function (warning) {
    if (String(warning).indexOf("SQLite is an experimental feature") < 0) emitWarning.apply(process, arguments);
  };
  import("../dist/cli/main.js")
    .then(function (program) {
      return program.main(process.argv.slice(2));
    })
    .then(
      function (exitCode) {
        process.exitCode = exitCode;
      },
      function (error) {
        console.error(error);
        process.exitCode = 1;
      },
    );
}

if (isSupported(process.versions.node)) {
  main();
} else {
  console.error(
    "claude-pool needs " + floor + "; this is Node " + process.versions.node + " at " + process.execPath + ".",
  );
  process.exitCode = 2;
}
