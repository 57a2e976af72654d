-- Who watches the watcher: a synthetic resident for each community, what became of its test pages, and when each alarm
-- device was last tested.

-- A synthetic resident (residents.synthetic) has a community of its own, that of the watched community: whatever is scoped by community cannot
-- show or count it, also what has not been written yet. Nobody works for such a community.
alter table communities add column watches text references communities;
create unique index communities_watching on communities (watches) where watches is not null;

-- One a community. A round is claimed by moving its due time.
create table watch_homes (
  community_id  text primary key references communities,
  resident_id   text not null unique references residents,
  gateway_id    text not null references gateways,
  device_id     text not null,
  -- To whom its alarm is paged.
  staff_id      text not null references staff,
  -- Of its gateway and of its webhook; as plain as those of all webhooks.
  mqtt_secret   text not null,
  due_at        timestamptz not null,
  -- The newest round, and the newest that came back.
  pressed_at    timestamptz,
  came_at       timestamptz,
  -- Since its pages no longer come back, and why not; null: they do.
  failing_since timestamptz,
  missed        text,
  check ((failing_since is null) = (missed is null))
);
create index on watch_homes (due_at);

create table watch_rounds (
  watch_round_id bigint generated always as identity primary key,
  community_id   text not null references communities,
  pressed_at     timestamptz not null,
  -- From the publish to its PUBACK, and to the page.
  acked_ms       int,
  page_ms        int,
  missed         text check (missed in ('no connection', 'not acknowledged', 'no page')),
  detail         text not null default '',
  check ((page_ms is null) = (missed is not null))
);
create index on watch_rounds (pressed_at);
create index on watch_rounds (community_id, pressed_at desc);

-- What each operator was told: once when test pages stay away, once when all is well again.
create table watch_outages (
  staff_id text not null references staff,
  since    timestamptz not null,
  ended_at timestamptz,
  primary key (staff_id, since)
);
create unique index watch_outages_one on watch_outages (staff_id) where ended_at is null;

-- Each running process that watches, and what its dead man's switch was answered.
create table watch_processes (
  process_id     text primary key,
  started_at     timestamptz not null,
  seen_at        timestamptz not null,
  -- Whether it plays the synthetic residents, and whether it has a dead man's switch.
  plays          boolean not null,
  has_switch     boolean not null,
  beat_at        timestamptz,
  beat_failed_at timestamptz,
  beat_why       text
);

-- The local day on which each community's supervisors were last told what is missing in its cover.
create table mornings (
  community_id text primary key references communities,
  done_on      date not null,
  done_at      timestamptz not null
);

-- When an alarm device was last tested, however: on its page, by its own test button, or by an alarm closed as a test. Apart
-- from devices, whose rows ingest locks.
create table devices_tested (
  device_no int primary key references devices,
  tested_at timestamptz not null,
  how       text not null check (how in ('page', 'reading', 'alert')),
  alert_id  bigint
);

create function note_device_tested(tested int, at timestamptz, by_what text, by_alert bigint) returns void language sql as $$
  insert into devices_tested (device_no, tested_at, how, alert_id) values (tested, at, by_what, by_alert)
  on conflict (device_no) do update set tested_at = excluded.tested_at, how = excluded.how, alert_id = excluded.alert_id
    where devices_tested.tested_at < excluded.tested_at
$$;

create function device_test_passed() returns trigger language plpgsql as $$
begin
  perform note_device_tested(new.device_no, new.passed_at, 'page', null);
  return null;
end $$;
create trigger device_test_passed after insert or update of passed_at on device_tests
  for each row when (new.passed_at is not null) execute function device_test_passed();

create function alert_was_test() returns trigger language plpgsql as $$
begin
  -- Closed as a test by mistake and taken back: better tested once more than once too few.
  if old.outcome = 'test' then
    delete from devices_tested where device_no = old.device_no and alert_id = old.alert_id;
  end if;
  if new.outcome = 'test' then
    perform note_device_tested(new.device_no, new.observed_at, 'alert', new.alert_id);
  end if;
  return null;
end $$;
create trigger alert_was_test after update of outcome on alerts
  for each row when (new.device_no is not null and new.outcome is distinct from old.outcome and 'test' in (old.outcome, new.outcome))
  execute function alert_was_test();

insert into devices_tested (device_no, tested_at, how, alert_id)
select distinct on (device_no) device_no, at, how, alert_id
  from (select device_no, passed_at as at, 'page' as how, null::bigint as alert_id from device_tests where passed_at is not null
        union all
        select device_no, observed_at, 'alert', alert_id from alerts where outcome = 'test' and device_no is not null) t
 order by device_no, at desc;
