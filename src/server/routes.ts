/** Every route of the REST API but the streams. */
import type { Route } from "./route.ts";
import { chainRoutes } from "./routes/chains.ts";
import { landingRoutes } from "./routes/landing.ts";
import { logRoutes } from "./routes/log.ts";
import { poolRoutes } from "./routes/pool.ts";
import { requestRoutes } from "./routes/requests.ts";
import { skillRoutes } from "./routes/skills.ts";
import { slotRoutes } from "./routes/slots.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { webhookRoutes } from "./routes/webhooks.ts";

export const routes: readonly Route[] = [
  ...taskRoutes,
  ...landingRoutes,
  ...chainRoutes,
  ...slotRoutes,
  ...skillRoutes,
  ...poolRoutes,
  ...requestRoutes,
  ...logRoutes,
  ...webhookRoutes,
];
