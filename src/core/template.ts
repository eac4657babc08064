/**
 * Prompts with placeholders: `{previous_output}`, `{error}`, `{steps.NAME.VARIABLE}`; doubled braces stand for themselves.
 *
 * P1. A template is parsed once and filled in one pass: what is put in is never looked at again.
 */

/** What a placeholder stands for. */
export type Reference =
  | { readonly kind: "previous_output" }
  | { readonly kind: "error" }
  | { readonly kind: "step"; readonly step: string; readonly variable: string };

export type TemplatePart = string | Reference;
export type Template = readonly TemplatePart[];

const placeholder = /\{(\{?)(previous_output|error|steps\.[^{}\s]*)\}(\}?)/g;

/**
 * The parts of a prompt. Braces that are no placeholder are text; `{{previous_output}}` is the text `{previous_output}`.
 *
 * @example parseTemplate("Do: {previous_output}") // ["Do: ", { kind: "previous_output" }]
 */
export function parseTemplate(text: string): Template {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of text.matchAll(placeholder)) {
    const [whole, open = "", inner = "", close = ""] = match;
    const isEscaped = open === "{" && close === "}";
    // A brace on one side only belongs to the text around.
    const start = match.index + (isEscaped ? 0 : open.length);
    const stop = match.index + whole.length - (isEscaped ? 0 : close.length);
    parts.push(text.slice(end, start), isEscaped ? `{${inner}}` : referenceOf(inner));
    end = stop;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

/** Every placeholder of a template, in order. */
export function referencesOf(template: Template): readonly Reference[] {
  return template.filter((part) => typeof part !== "string");
}

/** Fills a template in one pass (P1). */
export function fillTemplate(template: Template, valueOf: (reference: Reference) => string): string {
  return template.map((part) => (typeof part === "string" ? part : valueOf(part))).join("");
}

/** Text that stands for itself in a template, whatever it holds. */
export function escapeTemplate(text: string): string {
  return text.replace(/\{(previous_output|error|steps\.[^{}\s]*)\}/g, "{$&}");
}

/** A reference as it is written. */
export function writtenReference(reference: Reference): string {
  return reference.kind === "step" ? `{steps.${reference.step}.${reference.variable}}` : `{${reference.kind}}`;
}

function referenceOf(inner: string): Reference {
  if (inner === "previous_output" || inner === "error") return { kind: inner };
  const [, step = "", ...rest] = inner.split(".");
  return { kind: "step", step, variable: rest.join(".") };
}
