import { test } from "tap";
import { otelSettings } from "../../../src/agent/options/otel-env.ts";

test("the standard variables are read", async (t) => {
  const settings = otelSettings({
    OTEL_SDK_DISABLED: "TRUE",
    OTEL_RESOURCE_ATTRIBUTES: "team=a%2Cb, region = eu ,=none,broken%=x,bad=%",
    OTEL_SERVICE_NAME: "mine",
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.25",
    OTEL_BSP_MAX_QUEUE_SIZE: "100",
    OTEL_BSP_SCHEDULE_DELAY: "250",
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "50",
    OTEL_ATTRIBUTE_COUNT_LIMIT: "10",
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "12",
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "99",
    OTEL_SPAN_EVENT_COUNT_LIMIT: "7",
  });
  t.same(settings, {
    disabled: true,
    resource: { team: "a,b", region: "eu", "broken%": "x", "service.name": "mine" },
    settings: { samplingPerMillion: 250_000 },
    spanLimits: { attributeCountLimit: 12, attributeValueLengthLimit: 99, eventCountLimit: 7 },
    batch: { spans: 50, delayMs: 250 },
    maxPendingSpans: 100,
  });
});

test("what is not said, or not well, changes nothing", async (t) => {
  const nothing = otelSettings({});
  t.same(nothing, {
    disabled: false,
    resource: {},
    settings: {},
    spanLimits: {},
    batch: {},
    maxPendingSpans: undefined,
  });
  const bad = {
    OTEL_TRACES_SAMPLER: "traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "2",
    OTEL_BSP_MAX_QUEUE_SIZE: "-1",
  };
  t.same(otelSettings({ ...bad, OTEL_SPAN_EVENT_COUNT_LIMIT: "many", OTEL_SDK_DISABLED: "no" }), nothing);
});

test("every sampler of the standard has its share", async (t) => {
  const share = (name: string) => otelSettings({ OTEL_TRACES_SAMPLER: name }).settings.samplingPerMillion;
  for (const prefix of ["", "parentbased_"]) {
    t.equal(share(`${prefix}always_on`), 1_000_000);
    t.equal(share(`${prefix}always_off`), 0);
    t.equal(share(`${prefix}traceidratio`), 1_000_000);
  }
  t.equal(share("unknown"), undefined);
});
