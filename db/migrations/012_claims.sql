-- Devices bound on a page, and the test that such a binding ends with.

alter table gateways
  -- Null: by who runs the server, not on a page.
  add column registered_by text references staff,
  add column registered_at timestamptz;

alter table devices
  -- Null: by who runs the server. Who binds on a page stands in the home, and a test is asked for.
  add column bound_by text references staff,
  add column unbound_by text references staff;

create table device_tests (
  device_test_id  bigint generated always as identity primary key,
  device_no       int not null references devices,
  begun_at        timestamptz not null,
  begun_by        text not null references staff,
  -- Until then the first alarm of the device is the test; prolonged while its page is open, brought forward where
  -- somebody ends the test.
  ends_at         timestamptz not null check (ends_at >= begun_at),
  -- It is not prolonged beyond.
  ends_at_latest  timestamptz not null check (ends_at_latest >= ends_at),
  -- What a meter stood at when the test began (L, Wh), as far as is known.
  register_before double precision,
  passed_at       timestamptz,
  -- What came: the event of the reading, or what the register stood at.
  came_event      text not null default '',
  came_value      double precision,
  -- The alarm of the test has ended: the next one is a real one.
  cleared_at      timestamptz,
  check (passed_at is null or passed_at >= begun_at - interval '1 minute')
);
create index on device_tests (device_no, begun_at desc);
