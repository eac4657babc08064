/** What running tasks wait for, as `pool.requests`: permission to use a tool, or the answer to a question. */
import type { RequestFilter } from "./core/api.ts";
import { defined } from "./core/config.ts";
import { invalidOptions } from "./core/errors.ts";
import { isRequestId } from "./core/ids.ts";
import {
  checkWords,
  maxAnswerCharacters,
  maxReplyCharacters,
  requestNotFound,
  requestOver,
  ruleOf,
  type PermissionAnswer,
  type PermissionRule,
  type PoolRequest,
  type RequestAnswer,
} from "./core/permission.ts";
import type { Decision } from "./core/permission-rule.ts";
import type { Records } from "./core/records.ts";
import { parsePermissionAnswer, parseRequestFilter } from "./schema/requests.ts";

const defaultLimit = 100;

/** Requests of running tasks, of every process's, and the rules that answer some of them. */
export class PoolRequests {
  readonly #records: Records;
  readonly #fullTaskId: (id: string) => Promise<string>;

  constructor(records: Records, fullTaskId: (id: string) => Promise<string>) {
    this.#records = records;
    this.#fullTaskId = fullTaskId;
  }

  /** What waits for an answer, in the order in which it was asked. @throws {PoolError} `invalid_options`, `task_not_found`. */
  async list(filter: RequestFilter = {}): Promise<readonly PoolRequest[]> {
    const { taskId, limit = defaultLimit, ...rest } = parseRequestFilter(filter);
    const task = taskId === undefined ? {} : { taskId: await this.#fullTaskId(taskId) };
    return this.#records.requests({ ...rest, ...task, limit });
  }

  /** One request, answered or not. @throws {PoolError} `request_not_found`. */
  async get(id: string): Promise<PoolRequest> {
    const request = await this.#records.request(await this.#fullId(id));
    if (request === undefined) throw requestNotFound(id);
    return request;
  }

  /**
   * Lets the tool be used; with `always` later calls that the rule covers too, whatever task makes them.
   *
   * @throws {PoolError} `request_not_found`, `request_over`, `invalid_options`.
   * @example await pool.requests.allow(request.id, { always: "Bash(npm test:*)" });
   */
  allow(id: string, options: Omit<PermissionAnswer, "decision" | "message"> = {}): Promise<PoolRequest> {
    return this.decide(id, { ...options, decision: "allow" });
  }

  /** Refuses the tool, with a message that reaches the model. @throws {PoolError} as `allow`. */
  deny(id: string, options: Omit<PermissionAnswer, "decision"> = {}): Promise<PoolRequest> {
    return this.decide(id, { ...options, decision: "deny" });
  }

  /** As `allow` and `deny`. @throws {PoolError} as `allow`. */
  async decide(id: string, answer: PermissionAnswer): Promise<PoolRequest> {
    const { decision, message, always } = parsePermissionAnswer(answer);
    const request = await this.#open(id);
    if (request.kind !== "permission") {
      throw invalidOptions(`Request ${request.id} is a question: answer it in words.`, "decision");
    }
    const rule = always === undefined ? undefined : ruleOf(request, always, decision);
    const words = message === undefined ? undefined : checkWords(message, "message", maxAnswerCharacters);
    const given: RequestAnswer = defined({ by: "hand" as const, decision, message: words, rule });
    return this.#records.answerRequest(request.id, given);
  }

  /** Answers a question in words (at most 16,000 characters). @throws {PoolError} as `allow`. */
  async answer(id: string, text: string): Promise<PoolRequest> {
    const request = await this.#open(id);
    if (request.kind !== "question") {
      throw invalidOptions(`Request ${request.id} asks for permission: allow or deny it.`, "text");
    }
    const message = checkWords(text, "text", maxReplyCharacters);
    return this.#records.answerRequest(request.id, { by: "hand", message });
  }

  /** The rules that are kept, in the order in which they were given. */
  rules(): Promise<readonly PermissionRule[]> {
    return this.#records.permissionRules();
  }

  /** Keeps a rule; what is open and covered by it is answered at once. @throws {PoolError} `invalid_options`. */
  async addRule(rule: string, decision: Decision = "allow"): Promise<PermissionRule> {
    const { always, decision: given } = parsePermissionAnswer({ decision, always: rule });
    if (typeof always !== "string") throw invalidOptions("rule: expected text.", "rule");
    return this.#records.addPermissionRule(always, given);
  }

  /** Removes a rule, by its id or its text; resolves to what was removed. @throws {PoolError} `rule_not_found`. */
  async revoke(rule: string): Promise<readonly PermissionRule[]> {
    return this.#records.revokePermissionRule(rule);
  }

  async #open(id: string): Promise<PoolRequest> {
    const request = await this.get(id);
    if (request.state !== "open") throw requestOver(request);
    return request;
  }

  /** Accepts the beginning of an id where it is unique among those that are kept. */
  async #fullId(id: string): Promise<string> {
    if (isRequestId(id)) return id;
    if (!/^req-[0-9a-z]{2}/.test(id)) throw requestNotFound(id);
    const found = (await this.#records.requests({ all: true, limit: 1_000 })).filter((one) => one.id.startsWith(id));
    if (found.length > 1)
      throw invalidOptions(`${JSON.stringify(id)} is the beginning of more than one request.`, "id");
    if (found[0] === undefined) throw requestNotFound(id);
    return found[0].id;
  }
}
