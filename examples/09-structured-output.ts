/** An answer that fits a JSON schema, or a task that says it does not. */
import { openPool } from "claude-pool";
import { structured } from "claude-pool/testing";
import { offline } from "./shared/offline.ts";

await using stage = await offline();
stage.api.on("Count", structured({ files: 1, languages: ["markdown"] }));

await using pool = await openPool({ slots: 1, ...stage.options });
const result = await pool.run("Count the files", {
  jsonSchema: {
    type: "object",
    properties: { files: { type: "integer" }, languages: { type: "array", items: { type: "string" } } },
    required: ["files", "languages"],
  },
});
console.log(result.structuredOutput);
