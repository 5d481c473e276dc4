-- The local view of Tollgate: what went through lately, one row per span.
--
-- Other programs may read it while the daemon runs: open it read-only (it is in WAL mode), and do not
-- stay in one transaction for long. What a row says is what Langfuse gets too; a span that comes again
-- replaces what it said before. Text is UTF-8, with U+FFFD for what was none and for NUL; ids and names
-- are cut at 1024 bytes. The oldest rows go when the file or their age is over its limit.
-- user_version is the version of these tables, application_id is 0x54474c56; a reader looks at both.
PRAGMA application_id = 0x54474c56;
PRAGMA user_version = 1;
CREATE TABLE IF NOT EXISTS span (
  arrival INTEGER PRIMARY KEY,   -- rises with each new span
  trace_id TEXT NOT NULL,        -- 32 lower-case hex digits
  span_id TEXT NOT NULL,         -- 16
  parent_span_id TEXT,           -- NULL: a root
  lane TEXT NOT NULL,            -- project
  received_ns INTEGER NOT NULL,  -- when it came first: Unix time in nanoseconds, as the next two
  start_ns INTEGER NOT NULL,     -- 0: not said
  end_ns INTEGER NOT NULL,       -- 0: not said
  name TEXT NOT NULL,            -- as Langfuse calls it: a tool by its name
  kind TEXT,                     -- OpenInference: LLM, TOOL, AGENT, CHAIN, ...; NULL: not an AI span
  level TEXT NOT NULL,           -- DEBUG, DEFAULT, WARNING or ERROR
  status_message TEXT,           -- cut at 4096 bytes
  session_id TEXT,
  user_id TEXT,
  environment TEXT,
  service TEXT,                  -- service.name: which program, which CLI
  scope TEXT,                    -- instrumentation scope
  provider TEXT,
  model TEXT,
  usage TEXT,                    -- JSON object of disjoint token buckets, as in usage_details
  cost_fusd INTEGER,             -- femtodollars (1e-15 USD); NULL: no cost is known, which is not 0
  cost_source TEXT,              -- whose figure, when not by the price table: tollgate.cost.source
  cost_status TEXT,              -- why there is none, or what it lacks: tollgate.cost.status
  input TEXT,                    -- cut at local.content_max_bytes, also the next
  output TEXT,
  input_bytes INTEGER NOT NULL DEFAULT 0, -- before it was cut, also the next; 0: there was none
  output_bytes INTEGER NOT NULL DEFAULT 0,
  UNIQUE (trace_id, span_id)
);
CREATE INDEX IF NOT EXISTS span_session ON span (session_id, start_ns);
CREATE INDEX IF NOT EXISTS span_start ON span (start_ns);
-- Spans that the view could not keep up with, by the minute in which that was noted.
CREATE TABLE IF NOT EXISTS skipped (
  minute INTEGER PRIMARY KEY,    -- Unix time / 60
  spans INTEGER NOT NULL
);
