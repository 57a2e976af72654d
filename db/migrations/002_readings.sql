-- Gateways, devices, and what devices measured.

-- Each running edge process, with its heartbeat: gateways of an edge that died are not online.
create table edges (
  edge_id      text primary key,
  heartbeat_at timestamptz not null
);

create table gateways (
  gateway_id        text primary key check (gateway_id ~ '^[A-Za-z0-9._:-]{1,64}$'),
  community_id      text not null references communities,
  secret_hash       text not null,
  label             text not null default '',
  disabled_at       timestamptz,
  -- Presence, kept by the edge: connected now, since when, and when anything was last heard (flushed every few seconds).
  online            boolean not null default false,
  edge_id           text,
  online_changed_at timestamptz,
  last_heard_at     timestamptz,
  -- How far the device clock runs ahead of ours, in seconds (negative: behind); null while nothing is known.
  clock_ahead_s     double precision
);
create index on gateways (community_id);

-- One row is one binding of a physical device to a resident. Moving the device ends the row and begins another, so that
-- readings, which point to device_no, stay with the resident they were measured for.
create table devices (
  device_no   int generated always as identity primary key,
  device_id   text not null check (device_id ~ '^[A-Za-z0-9._:-]{1,64}$'),
  kind        text not null check (kind in ('water', 'electricity', 'button', 'smoke', 'gas')),
  gateway_id  text not null references gateways,
  resident_id text not null references residents,
  room        text not null default '',
  bound_at    timestamptz not null,
  unbound_at  timestamptz
);
create unique index on devices (device_id) where unbound_at is null;
create index on devices (gateway_id);
create index on devices (resident_id);

-- event: '' for a meter; pressed, cancelled, test for a button; alarm, clear, test for smoke and gas.
-- value: the cumulative register (water in L, electricity in Wh) or the level of an alarm, in `unit`.
-- rate:  flow in L/min or power in W.
create table readings (
  device_no   int not null,
  observed_at timestamptz not null,
  event       text collate "C" not null default '',
  received_at timestamptz not null,
  value       double precision,
  rate        double precision,
  unit        text,
  battery     real,
  tamper      boolean,
  fault       boolean,
  clock_wrong boolean,
  seq         bigint,
  primary key (device_no, observed_at, event)
);
select create_hypertable('readings', by_range('observed_at', interval '7 days'), create_default_indexes => false);

-- What the rules have not folded yet: written in the transaction that commits the readings, deleted in the one that
-- commits the state they lead to. body: an array of arrivals as in alerts/model, `entries` of them.
create table arrivals (
  arrival_id  bigint generated always as identity primary key,
  resident_id text not null,
  received_at timestamptz not null,
  entries     int not null,
  body        jsonb not null
);
create index on arrivals (resident_id, arrival_id);

-- Input that could not be understood, with the reason. kept: the reading itself was stored all the same.
create table quarantine (
  quarantine_id bigint generated always as identity primary key,
  received_at   timestamptz not null,
  gateway_id    text,
  topic         text not null,
  reason        text not null,
  detail        text not null default '',
  payload       bytea,
  payload_bytes int not null default 0,
  kept          boolean not null default false
);
create index on quarantine (received_at desc);
create index on quarantine (gateway_id, received_at desc);
