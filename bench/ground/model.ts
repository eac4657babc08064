/** The real CLI's surroundings for a measurement: a scripted model on loopback, and homes that are nobody's. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type ScriptedApi, startScriptedApi } from "../../src/testing/index.ts";
import { withFolder } from "./folder.ts";

export interface Model {
  readonly api: ScriptedApi;
  readonly folder: string;
  /** An empty directory to work in. */
  readonly work: string;
  /** A file in the folder. */
  path(name: string): string;
  /** What a CLI needs to know of the model and of a home of its own. */
  env(home: string): Record<string, string>;
}

/** Runs the body with a scripted model; afterwards nothing of it is left, processes included. */
export function withModel<T>(body: (model: Model) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    await using api = await startScriptedApi();
    const directory = (name: string): string => {
      const path = join(folder, name);
      mkdirSync(path, { recursive: true });
      return path;
    };
    return await body({
      api,
      folder,
      work: directory("work"),
      path: (name) => join(folder, name),
      env: (home) => api.environment(directory(home)),
    });
  });
}
