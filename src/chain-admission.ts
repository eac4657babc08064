/** From what a caller hands to `submitChain` to what the records take: checked, with its skills read in. */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { checkDirectory, claimWait, refuseUnisolated } from "./admission.ts";
import { callerTrace } from "./caller-trace.ts";
import { microdollars } from "./core/budget.ts";
import type { ChainSpec, ResolvedStep, StepSpec } from "./core/chain.ts";
import { defined, type PoolConfig } from "./core/config.ts";
import { dollars, invalidOptions, PoolError } from "./core/errors.ts";
import { newChainId } from "./core/ids.ts";
import type { NewChain } from "./core/records.ts";
import type { Isolation } from "./core/workspace.ts";
import { checkArguments, type Skill, type SkillStep } from "./core/skill.ts";
import { repositoryTop } from "./project.ts";
import { refuseBypass } from "./schema/parse.ts";
import { parseChain, type WrittenChain } from "./schema/chain.ts";

/** Where a chain's skills come from, with what their commands print in the chain's directory; rejects for one that is unknown, broken or not trusted. */
export type ResolveSkill = (name: string, cwd: string) => Promise<Skill>;

export interface ChainAdmission {
  readonly cwd: string;
  readonly config: PoolConfig;
  readonly originHost: string | undefined;
  readonly resolveSkill: ResolveSkill;
}

/**
 * Checks one chain.
 *
 * @throws {PoolError} `invalid_options`, `cwd_not_found`.
 */
export async function admitChain(input: unknown, pool: ChainAdmission): Promise<NewChain> {
  const written: WrittenChain = parseChain(input);
  const cwd = resolve(pool.cwd, written.cwd ?? ".");
  checkDirectory(cwd);
  const steps: ResolvedStep[] = [];
  for (const [index, step] of written.steps.entries()) {
    refuseBypass(step.permissionMode, pool.config.allowBypassPermissions);
    const read = step.skill === undefined ? step : await withSkill(step, index, step.skill, { ...pool, cwd });
    steps.push({ ...read, ...claimWait(step, pool.config) });
  }
  for (const [index, step] of steps.entries()) checkCap(step, index, written.maxBudgetUsd);
  const { slotAssignmentTimeoutSecs: patience } = pool.config;
  const queueTimeoutMs = written.queueTimeoutMs ?? (patience === undefined ? undefined : patience * 1000);
  // What kind of repository it is, git says when the first step runs.
  const isolation =
    written.isolation ?? configuredIsolation(pool.config) ?? (repositoryTop(cwd) === undefined ? "none" : "worktree");
  if (isolation === "none") for (const [index, step] of steps.entries()) refuseChecks(step, index, pool.config);
  const spec = defined<ChainSpec>({ ...written, cwd: realpathSync(cwd), queueTimeoutMs, isolation, steps });
  return newChain(spec, pool.originHost);
}

function configuredIsolation({ isolation, worktreeIsolation }: PoolConfig): Isolation | undefined {
  return isolation ?? (worktreeIsolation ? "worktree" : undefined);
}

function refuseChecks(step: ResolvedStep, index: number, config: PoolConfig): void {
  const checks = step.checks ?? step.resolvedSkill?.config?.checks ?? config.checks;
  refuseUnisolated(`Step ${String(index + 1)} (${step.name})`, checks);
}

/** Such a step would fail when its turn comes, and what ran before it would be paid for nothing. */
function checkCap(step: ResolvedStep, index: number, chainUsd: number | undefined): void {
  const own = step.maxBudgetUsd ?? step.resolvedSkill?.config?.maxBudgetUsd;
  if (own === undefined || chainUsd === undefined || own <= chainUsd) return;
  const [most, whole] = [dollars(microdollars(own)), dollars(microdollars(chainUsd))];
  const text = `Step ${String(index + 1)} (${step.name}): it may cost ${most}, but the whole chain only ${whole}.`;
  throw invalidOptions(text, `steps[${String(index)}].maxBudgetUsd`);
}

/** A chain that was checked before, under a new id. */
export function newChain(spec: ChainSpec, originHost: string | undefined): NewChain {
  return { id: newChainId(), spec, ...(originHost === undefined ? {} : { originHost }), ...callerTrace() };
}

/** The skill as it is now, so that the chain never changes under way. */
async function withSkill(step: StepSpec, index: number, name: string, pool: ChainAdmission): Promise<ResolvedStep> {
  const place = `Step ${String(index + 1)} (${step.name})`;
  const skill = await pool.resolveSkill(name, pool.cwd);
  const resolvedSkill: SkillStep = {
    name: skill.name,
    prompt: skill.prompt,
    arguments: skill.arguments,
    ...(skill.dir === undefined ? {} : { dir: skill.dir }),
    ...(skill.config === undefined ? {} : { config: skill.config }),
  };
  refuseBypass(skill.config?.permissionMode, pool.config.allowBypassPermissions);
  try {
    checkArguments(resolvedSkill, step.arguments ?? {});
  } catch (error) {
    if (error instanceof PoolError) throw invalidOptions(`${place}: ${error.message}`, `steps[${String(index)}]`);
    throw error;
  }
  return { ...step, resolvedSkill };
}
