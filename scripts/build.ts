/** Compiles src/ to dist/ with plain tsc, from nothing, so that no file of an earlier build is ever shipped. */
import { rmSync } from "node:fs";
import { run } from "./run.ts";

rmSync("dist", { recursive: true, force: true });
await run("tsc", ["-p", "tsconfig.build.json"]);
