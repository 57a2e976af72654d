-- Storms: many alerts at once, many homes gone at once, one device that says the same again and again.

alter table pages
  -- What is no emergency may wait here to be told together with what follows it; another look is taken then.
  add column held_until timestamptz,
  -- The message in which it was told together with others.
  add column digest_id uuid;
-- What left to a person lately.
create index pages_left on pages (staff_id, sent_at) where sent_at is not null;

-- Devices that came and went lately, in what they are alarms for or in a notice about them. `changes`: the newest times at which
-- it went on or off, epoch ms. The row goes when there was none for so long that it counts as calm.
create table device_flapping (
  device_no int not null references devices,
  kind      text not null,
  changes   float8[] not null,
  calm_at   timestamptz not null,
  primary key (device_no, kind)
);
create index on device_flapping (calm_at);

-- Many homes of one community that fell silent within minutes: most likely the mains or a network.
create table incidents (
  incident_id  bigint generated always as identity primary key,
  community_id text not null references communities,
  -- The street and number at which all of it is; '' for the whole community.
  place        text not null default '',
  opened_at    timestamptz not null,
  -- The first and the last of the homes fell silent then.
  first_at     timestamptz not null,
  last_at      timestamptz not null,
  -- Of so many homes with a gateway.
  homes_known  int not null,
  closed_at    timestamptz
);
-- A mains failure is one incident, however many processes look.
create unique index incidents_one_open on incidents (community_id) where closed_at is null;
create index on incidents (community_id, opened_at desc);

create table incident_homes (
  incident_id bigint not null references incidents on delete cascade,
  resident_id text not null references residents,
  gateway_id  text not null references gateways,
  silent_at   timestamptz not null,
  back_at     timestamptz,
  primary key (incident_id, resident_id)
);
create index on incident_homes (resident_id) where back_at is null;

create table incident_events (
  incident_event_id bigint generated always as identity primary key,
  incident_id bigint not null references incidents on delete cascade,
  at          timestamptz not null,
  kind        text not null check (kind in ('opened', 'grew', 'closed')),
  -- How many homes were silent then, and how many had been in all.
  silent      int not null,
  homes       int not null
);
create index on incident_events (incident_id, incident_event_id);
