/** Text without what it would say to a terminal: whole sequences, since without their first character the rest would stand there as text. */
export function withoutTerminalCodes(text: string): string {
  return text.replace(terminalCodes, "");
}

/** ANSI's sequences: what draws and moves (CSI), and what carries text to the terminal itself (OSC, DCS, PM, APC). */
const terminalCodes =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?/gu;
