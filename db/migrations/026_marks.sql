-- What staff found the alerts about silence to be, and what that changed in what is learned of the resident.

-- One mark an alert; saying otherwise replaces it, and the history of the alert keeps both.
create table alert_marks (
  alert_id        bigint primary key references alerts on delete cascade,
  verdict         text not null check (verdict in ('true', 'false')),
  staff_id        text not null references staff,
  marked_at       timestamptz not null,
  -- It was closed as an emergency, which says so; taking the closing back takes this back.
  by_closing      boolean not null default false,
  -- The limit of a silence that begins like this one, before and after, and in how many hours of the day it moved; null
  -- where nothing has changed (yet): the line is not learned, the silence goes on, or it taught nothing.
  limit_before_ms int,
  limit_after_ms  int,
  hours_longer    int,
  hours_shorter   int
);

-- By which rules silence is judged: kept by whoever judges, for the pages that draw the line. Null: the fixed rules alone.
create table silence_budget (
  only_one         boolean primary key default true check (only_one),
  alarms_per_month real,
  set_at           timestamptz not null
);

-- A resident's alerts about silence, newest first, for the page that lists them with their marks.
create index alerts_of_silence on alerts (resident_id, opened_at desc)
  where kind in ('silence_unusual', 'silent_12h', 'silent_24h');
