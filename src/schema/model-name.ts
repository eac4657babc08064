/** Which model names are plausible: the CLI itself accepts any text and fails only at the API, or not at all. */

/** The aliases that the CLI knows; each may end in `[1m]`. */
export const modelAliases = ["default", "best", "opus", "sonnet", "haiku", "fable", "opusplan"] as const;

const shapes = [
  new RegExp(String.raw`^(${modelAliases.join("|")})(\[1m\])?$`),
  /^claude-[\w.:-]+(@[\w.-]+)?(\[1m\])?$/, // Anthropic's own ids; Vertex puts the version behind an @
  /^([\w-]+\.)?anthropic\.[\w.:-]+(\[1m\])?$/, // Bedrock, with or without a region before it
  /^arn:aws[\w-]*:bedrock:\S+$/, // Bedrock inference profiles
];

/** Is this an alias or an id that some provider of Claude could have? */
export function isModelName(name: string): boolean {
  return shapes.some((shape) => shape.test(name));
}
