-- Who is on duty when: a weekly pattern, single shifts beside it (duty_shifts), and what was agreed to be otherwise.

-- Each change of a roster, by whom. Changes made by one edit are one decision: a swap has two.
create table roster_edits (
  roster_edit_id bigint generated always as identity primary key,
  community_id   text not null references communities,
  at             timestamptz not null,
  -- Null: by who runs the server.
  by_staff_id    text references staff,
  kind           text not null,
  detail         jsonb not null default '{}'
);
create index on roster_edits (community_id, roster_edit_id desc);

-- By the wall clock of the community, so that a night ends at 08:00 also where the clock is changed in it.
create table weekly_shifts (
  weekly_shift_id bigint generated always as identity primary key,
  community_id    text not null references communities,
  staff_id        text not null references staff,
  -- 1 Monday … 7 Sunday
  weekday         int not null check (weekday between 1 and 7),
  starts          text not null check (starts ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  minutes         int not null check (minutes between 1 and 10080),
  valid_from      date not null,
  -- The last day on which it may begin.
  valid_until     date check (valid_until >= valid_from),
  -- Counted from the week of valid_from.
  every_weeks     int not null default 1 check (every_weeks between 1 and 8),
  unique (community_id, staff_id, weekday, starts, valid_from)
);
create index on weekly_shifts (staff_id);

create table roster_changes (
  roster_change_id  bigint generated always as identity primary key,
  roster_edit_id    bigint not null references roster_edits,
  community_id      text not null references communities,
  from_at           timestamptz not null,
  until_at          timestamptz not null check (until_at > from_at),
  -- Null: all weekly shifts, as on a public holiday.
  staff_id          text references staff,
  -- Null: nobody.
  stand_in_staff_id text references staff check (stand_in_staff_id <> staff_id),
  reason            text not null check (reason in ('swap', 'ill', 'holiday', 'other'))
);
create index on roster_changes (community_id, until_at);
create index on roster_changes (roster_edit_id);

-- The event of a calendar file that a shift came from: the same event again changes nothing, or only what is new in it.
alter table duty_shifts add column ical_uid text;
create index on duty_shifts (community_id, ical_uid) where ical_uid is not null;

-- The secret address under which a calendar app follows a roster. As with the private links of families only its hash is kept.
create table roster_feeds (
  token_hash   bytea primary key,
  staff_id     text not null references staff,
  community_id text not null references communities,
  -- Only the shifts of this person, or everybody's.
  only_own     boolean not null,
  created_at   timestamptz not null,
  revoked_at   timestamptz
);
create index on roster_feeds (staff_id, community_id);
