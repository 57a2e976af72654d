-- Street-level truth: many homes without water or without power at once, and their alerts about silence, which wait for it.

-- What the meters told when the state was folded. `silent_long`: for longer than four in five of this resident's silences
-- that begin like it. `water_at`: water ran last, or was known last; `water_until`: so far the meter tells. `power_at`:
-- the same of electricity; it lies before `power_until` where the home draws nothing at all, not even for its fridge.
alter table resident_knowledge
  add column silent_long boolean not null default false,
  add column water_at timestamptz,
  add column water_until timestamptz,
  add column power_at timestamptz,
  add column power_until timestamptz;

-- What the homes of an incident are without: the line to us, or water or power while their meters go on telling.
alter table incidents add column kind text not null default 'offline' check (kind in ('offline', 'no water', 'no power'));
drop index incidents_one_open;
create unique index incidents_one_open on incidents (community_id) where closed_at is null and kind = 'offline';
-- Of mains there are several in a community, and each has its place.
create unique index incidents_one_open_place on incidents (community_id, kind, place) where closed_at is null;

alter table alerts
  -- Nobody is told of it before held_until, because of an incident; it is the due time of its first step.
  add column held_since timestamptz,
  add column held_until timestamptz,
  add column held_incident_id bigint references incidents on delete set null,
  add constraint alerts_held_whole check ((held_since is null) = (held_until is null)),
  -- An emergency never waits, whatever a program asks for, nor does a silence of 24 h.
  add constraint alerts_held_kind check (held_until is null or (kind in ('silence_unusual', 'silent_12h') and severity = 'urgent'));
create index on alerts (held_incident_id) where held_incident_id is not null;
