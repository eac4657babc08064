/** The tables of docs/mcp.md: every tool and resource, as the server itself publishes them. */
import { published } from "../src/mcp/published.ts";
import { fixedResources, resourceTemplates } from "../src/mcp/resources.ts";
import { families } from "../src/mcp/tools.ts";
import type { Tool } from "../src/mcp/tool.ts";

/** Every tool in one line, a family after the other. */
export function toolTable(): string {
  const parts = Object.entries(families).map(([family, tools]) => {
    const rows = tools.map((tool) => row(tool));
    return [
      `### ${family}`,
      "",
      "| tool | input (`*` required) | answer | what it does |",
      "|---|---|---|---|",
      ...rows,
    ].join("\n");
  });
  return parts.join("\n\n");
}

/** Every resource and template. */
export function resourceTable(): string {
  const rows = [
    ...fixedResources.map(({ uri, description }) => `| \`${uri}\` | ${description} |`),
    ...resourceTemplates.map(({ uriTemplate, description }) => `| \`${uriTemplate}\` | ${description} |`),
  ];
  return ["| address | what it shows |", "|---|---|", ...rows].join("\n");
}

function row(tool: Tool): string {
  const { inputSchema, outputSchema } = published(tool);
  const name = `\`${tool.name}\`${tool.isCore === true ? " (core)" : ""}`;
  return `| ${name} | ${fieldsOf(inputSchema, true)} | ${fieldsOf(outputSchema, false)} | ${tool.description} |`;
}

function fieldsOf(schema: Readonly<Record<string, unknown>>, marksRequired: boolean): string {
  const {
    properties = {},
    required = [],
    additionalProperties,
  } = schema as {
    readonly properties?: object;
    readonly required?: readonly string[];
    readonly additionalProperties?: boolean;
  };
  const names = Object.keys(properties)
    .filter((name) => name !== "cut")
    .map((name) => `\`${name}\`${marksRequired && required.includes(name) ? "*" : ""}`);
  const more = marksRequired && additionalProperties !== false && names.length > 0 ? ["…"] : [];
  return names.length === 0 ? "" : [...names, ...more].join(", ");
}
