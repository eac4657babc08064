/** The time that this process itself computes, which a busy machine does not lengthen; in milliseconds. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
