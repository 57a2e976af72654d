-- What a person is told that is not about one alert which needs somebody; what is known of each of a person's channels;
-- and when a person wants to be left alone.

create sequence staff_channel_positions as int minvalue 1000;
alter table staff_channels
  -- One address of one person, however it moves up and down. A page names position and kind, so that a position is given
  -- to one address once: the sequence never gives it to another, and a page on its way never reaches the wrong one.
  add column channel_id uuid not null default gen_random_uuid() unique,
  add column created_at timestamptz,
  -- Refused for good: a mailbox that is gone, a push subscription that ended. The next success clears it.
  add column broken_at timestamptz,
  add column broken_reason text,
  -- The last time that retries were of no use, and what was said; the network's fault rather than the address's.
  add column last_failed_at timestamptz,
  add column last_failure text,
  add column last_sent_at timestamptz,
  -- When a person last said "I got it" to a test.
  add column confirmed_at timestamptz,
  add constraint staff_channels_broken_why check ((broken_at is null) = (broken_reason is null));
alter table staff_channels alter column position set default nextval('staff_channel_positions');
alter sequence staff_channel_positions owned by staff_channels.position;

-- From … until by the wall clock of that zone, over midnight where the end is before the beginning. Emergencies ignore it.
alter table staff
  add column quiet_from text check (quiet_from ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  add column quiet_until text check (quiet_until ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  add column quiet_zone text,
  -- When the channels were last changed on a page: what is registered again does not undo that.
  add column channels_set_at timestamptz,
  add constraint staff_quiet_hours_whole check (num_nonnulls(quiet_from, quiet_until, quiet_zone) in (0, 3)),
  add constraint staff_quiet_hours_end check (quiet_from <> quiet_until);

-- Who set the channels of somebody who cannot log in, or said that a neighbour agreed.
alter table resident_volunteers add column added_by text references staff;
create table staff_changes (
  staff_change_id bigint generated always as identity primary key,
  staff_id        text not null references staff,
  by_staff_id     text not null references staff,
  at              timestamptz not null,
  what            text not null
);
create index on staff_changes (staff_id, at desc);

-- The outbox of messages: one row is one thing told to one person, through whichever channel takes it.
create table messages (
  message_id      uuid primary key,
  staff_id        text not null references staff,
  kind            text not null,
  text_zh         text not null,
  text_en         text not null,
  lines           jsonb not null default '[]',
  path            text,
  urgent          boolean not null,
  -- Said to one person once.
  dedupe_key      text,
  -- A test is for this channel alone.
  only_channel    uuid,
  status          text not null default 'pending' check (status in ('pending', 'sent', 'failed')),
  created_at      timestamptz not null,
  gives_up_at     timestamptz not null,
  next_attempt_at timestamptz not null,
  claimed_until   timestamptz,
  -- The channel that is being tried, and how often it was.
  through         uuid,
  attempts        int not null default 0,
  -- Channels that will not take it, and those to come back to after a pause.
  refused_by      uuid[] not null default '{}',
  given_up_on     uuid[] not null default '{}',
  sent_at         timestamptz,
  confirmed_at    timestamptz,
  last_error      text,
  unique (staff_id, dedupe_key)
);
create index messages_pending on messages (next_attempt_at) where status = 'pending';
create index on messages (staff_id, created_at desc);
create index on messages (created_at);

create table message_attempts (
  message_attempt_id bigint generated always as identity primary key,
  message_id   uuid not null references messages,
  channel_id   uuid,
  channel      text not null,
  attempted_at timestamptz not null,
  duration_ms  int not null,
  result       text not null check (result in ('sent', 'delivered', 'retry', 'refused')),
  detail       text not null default ''
);
create index on message_attempts (message_id);
