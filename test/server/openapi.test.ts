import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, it } from "vitest";
import { openApiDocument } from "../../src/server/openapi.ts";
import { routes } from "../../src/server/routes.ts";
import { streamRoutes } from "../../src/server/streams.ts";
import { served } from "./serving.ts";

type Paths = Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;

it("is an OpenAPI 3.1 document to a validator that is not ours", async () => {
  const validator = new Validator();

  const answer = await validator.validate(structuredClone(openApiDocument()));

  expect([answer, "paths" in validator.resolveRefs()]).toEqual([{ valid: true }, true]);
});

it("has every route that the server answers, and no other", async () => {
  const { http, get } = await served();
  const { paths } = (await get("/v1/openapi.json")).body as { readonly paths: Paths };
  const written = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const known = [...routes, ...streamRoutes.map((route) => ({ ...route, method: "GET" as const }))].map(
    ({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`,
  );

  // Asked of the running server: a method that a path does not know is 405, and says which it knows.
  const answered: string[] = [];
  for (const path of Object.keys(paths)) {
    const missing = ["PATCH", "PUT"].find((method) => !(method.toLowerCase() in (paths[path] ?? {})));
    const { status, headers } = await fetch(http.url + path.replace(/\{\w+\}/g, "x"), { method: missing ?? "TRACE" });
    expect([path, status]).toEqual([path, 405]);
    for (const method of (headers.get("allow") ?? "").split(", ")) answered.push(`${method} ${path}`);
  }

  expect([answered.sort(), known.filter((one) => !written.includes(one))]).toEqual([written.sort(), []]);
});

it("gives every operation a name of its own", () => {
  const { paths } = openApiDocument() as { readonly paths: Paths };
  const names = Object.values(paths).flatMap((operations) => Object.values(operations).map((one) => one.operationId));

  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
