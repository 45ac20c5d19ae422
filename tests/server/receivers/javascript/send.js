// Sends one trace that has everything a span can have with an official exporter: node send.js http|proto <url> <session>
'use strict';

const { SpanKind, SpanStatusCode, TraceFlags, ROOT_CONTEXT, createTraceState, trace } = require('@opentelemetry/api');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BasicTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');

const [kind, url, session] = process.argv.slice(2);
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${kind}`);

const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop', texts: ['a', 'b'], number: 1 }),
  spanLimits: { attributeCountLimit: 32, eventCountLimit: 2, linkCountLimit: 2, attributePerEventCountLimit: 2 },
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url }))],
});
const tracer = provider.getTracer('scope', '1.2', { schemaUrl: 'https://example.com/scope' });

const remote = {
  traceId: '0123456789abcdef0123456789abcdef',
  spanId: '0123456789abcdef',
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
  traceState: createTraceState('vendor=state'),
};
const span = tracer.startSpan(
  'everything',
  {
    kind: SpanKind.PRODUCER,
    startTime: [1795000000, 123456789],
    attributes: {
      'session.id': session,
      text: 'plain',
      unicode: 'Grüße 😀 \u0000 <script>alert(1)</script>',
      'no text': '',
      true: true,
      false: false,
      zero: 0,
      number: -42,
      'safe integer': Number.MAX_SAFE_INTEGER,
      'large integer': 2 ** 62,
      'too large for an integer': 1e20,
      largest: Number.MAX_VALUE,
      double: 0.1,
      small: 5e-324,
      texts: ['a', '', 'ü'],
      numbers: [1, -2],
      mixed: [1, 2.5],
      bools: [true, false],
      holes: ['a', null],
      none: [],
    },
    links: [{ context: remote }, { context: remote, attributes: { link: 1, ratio: 0.5 } }],
  },
  trace.setSpanContext(ROOT_CONTEXT, remote),
);
// The API takes no such values yet; the exporter knows them.
Object.assign(span.attributes, {
  bytes: new Uint8Array([0, 255]),
  map: { a: 1, b: { c: [true, 0.5, 'x'] } },
  'not a number': NaN,
  infinite: -Infinity,
});
for (let number = 0; number < 20; number++) span.setAttribute(`too many ${number}`, number);
for (let number = 0; number < 3; number++) {
  span.addEvent(`event ${number}`, { a: number, b: 0.5, c: true }, [1795000000, 200000000 + number]);
}
span.addLink({ context: remote });
span.setStatus({ code: SpanStatusCode.ERROR, message: 'went wrong' });
span.end([1795000001, 5]);

provider.shutdown().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
