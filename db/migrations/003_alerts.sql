-- What the rules know, what is wrong, and who was told.

-- One row a resident: what the rules know, and when they want to look again though nothing arrives.
create table resident_state (
  resident_id text primary key references residents,
  state       jsonb not null,
  wake_at     timestamptz,
  folded_at   timestamptz not null
);
create index on resident_state (wake_at);

create table alerts (
  alert_id         bigint generated always as identity primary key,
  resident_id      text not null references residents,
  community_id     text not null references communities,
  device_no        int references devices,
  kind             text not null,
  severity         text not null check (severity in ('emergency', 'urgent', 'warning', 'notice')),
  stage            text not null default 'open' check (stage in ('open', 'acknowledged', 'en_route', 'arrived', 'closed')),
  opened_at        timestamptz not null,
  observed_at      timestamptz not null,
  headline_zh      text not null,
  headline_en      text not null,
  reason           jsonb not null default '{}',
  handled_by       text references staff,
  outcome          text check (outcome in ('fall', 'illness', 'fire', 'gas', 'leak', 'resident fine', 'device fault', 'test', 'other')),
  outcome_note     text not null default '',
  closed_at        timestamptz,
  -- Escalation: the step taken last, how often the chain was walked before, and when the next step is due (null: none).
  step             int not null default 0,
  round            int not null default 0,
  due_at           timestamptz,
  check ((stage = 'closed') = (closed_at is not null)),
  check (stage <> 'closed' or outcome is not null)
);
create index on alerts (due_at) where due_at is not null;
create index on alerts (community_id, opened_at desc) where closed_at is null;
create index on alerts (resident_id, opened_at desc);
-- One open alert for one thing: what the rules open again is the same episode. Emergencies have their own episodes.
create unique index alerts_one_open on alerts (resident_id, kind, coalesce(device_no, 0))
  where closed_at is null and severity <> 'emergency';

-- The full history of an alert, one row an event, in both tellings: by kind and detail.
create table alert_events (
  alert_event_id bigint generated always as identity primary key,
  alert_id       bigint not null references alerts,
  at             timestamptz not null,
  kind           text not null,
  staff_id       text references staff,
  via            text not null default 'system' check (via in ('system', 'console', 'link')),
  detail         jsonb not null default '{}'
);
create index on alert_events (alert_id, alert_event_id);

-- The outbox: one row is one attempt to tell one person about one alert through one channel.
create table pages (
  page_id         uuid primary key default gen_random_uuid(),
  alert_id        bigint not null references alerts,
  round           int not null,
  step            int not null,
  staff_id        text not null references staff,
  channel         text not null,
  -- Position in the person's own channel order; a page that fails for good falls over to the next position.
  position        int not null,
  status          text not null default 'pending' check (status in ('pending', 'sent', 'failed', 'cancelled')),
  created_at      timestamptz not null,
  attempts        int not null default 0,
  next_attempt_at timestamptz not null,
  claimed_until   timestamptz,
  sent_at         timestamptz,
  last_error      text,
  unique (alert_id, round, step, staff_id, channel, position)
);
create index pages_pending on pages (next_attempt_at) where status = 'pending';
create index on pages (alert_id);

create table page_attempts (
  page_attempt_id bigint generated always as identity primary key,
  page_id         uuid not null references pages,
  attempted_at    timestamptz not null,
  duration_ms     int not null,
  result          text not null check (result in ('sent', 'retry', 'refused')),
  detail          text not null default ''
);
create index on page_attempts (page_id);

-- The one-tap link that a page carries: acknowledges once, without logging in, until it expires.
create table page_links (
  token_hash bytea primary key,
  page_id    uuid not null references pages,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at    timestamptz
);

-- The episode that each alarm device is in, kept by ingest in the transaction that commits the reading.
create table alarm_episodes (
  device_no int primary key references devices,
  alert_id  bigint not null references alerts,
  active    boolean not null,
  first_at  timestamptz not null,
  last_at   timestamptz not null
);
