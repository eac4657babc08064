/**
 * The OpenTelemetry SDK for the pool's own programs, `serve` and `mcp`: loaded only where the environment names an endpoint,
 * from packages that the user installs. A program that uses the library registers an SDK of its own.
 */
import { PoolError } from "../core/errors.ts";

/** Optional peer dependencies; what `npm install` is told. */
const packages = [
  "@opentelemetry/sdk-trace-base",
  "@opentelemetry/sdk-metrics",
  "@opentelemetry/resources",
  "@opentelemetry/exporter-trace-otlp-http",
  "@opentelemetry/exporter-metrics-otlp-http",
] as const;

/**
 * Registers an SDK that sends by OTLP over HTTP as the `OTEL_*` variables say; the function returned sends what is left and
 * ends it. Without an endpoint nothing is loaded.
 *
 * @throws {PoolError} `telemetry_not_installed`, with what to install.
 */
export async function startTelemetry(
  env: Readonly<Record<string, string | undefined>>,
): Promise<(() => Promise<void>) | undefined> {
  const endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT ?? "";
  if (endpoint === "" || env.OTEL_SDK_DISABLED === "true") return undefined;
  const { metrics, trace } = await import("@opentelemetry/api");
  const sdk = await load();
  const base = endpoint.replace(/\/+$/, "");
  const resource = sdk.resources
    .defaultResource()
    .merge(sdk.resources.resourceFromAttributes({ "service.name": "claude-pool" }))
    .merge(sdk.resources.detectResources({ detectors: [sdk.resources.envDetector] }));
  const tracing = new sdk.trace.BasicTracerProvider({
    resource,
    spanProcessors: [
      new sdk.trace.BatchSpanProcessor(new sdk.traceExporter.OTLPTraceExporter({ url: `${base}/v1/traces` })),
    ],
  });
  const exporter = new sdk.metricExporter.OTLPMetricExporter({ url: `${base}/v1/metrics` });
  const metering = new sdk.metrics.MeterProvider({
    resource,
    readers: [new sdk.metrics.PeriodicExportingMetricReader({ exporter })],
  });
  trace.setGlobalTracerProvider(tracing);
  metrics.setGlobalMeterProvider(metering);
  return async () => {
    // A collector that is away must not keep a server from ending.
    await Promise.allSettled([tracing.shutdown(), metering.shutdown()]);
    trace.disable();
    metrics.disable();
  };
}

async function load() {
  try {
    const [trace, metrics, resources, traceExporter, metricExporter] = await Promise.all([
      import("@opentelemetry/sdk-trace-base"),
      import("@opentelemetry/sdk-metrics"),
      import("@opentelemetry/resources"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/exporter-metrics-otlp-http"),
    ]);
    return { trace, metrics, resources, traceExporter, metricExporter };
  } catch (error) {
    throw new PoolError(
      "telemetry_not_installed",
      `OTEL_EXPORTER_OTLP_ENDPOINT is set, but the OpenTelemetry SDK is not installed: npm install ${packages.join(" ")}. Or unset it.`,
      { packages },
      error,
    );
  }
}
