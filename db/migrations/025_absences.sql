-- When nobody is at home, and what people say of a resident. The rules are handed the same as words among the readings;
-- these rows are for people: who said what, when, and how it ended.

-- Away mode. One runs at a time; (resident_id, from_at) is what the rules know it by, so that its beginning never changes.
create table absences (
  absence_id       bigint generated always as identity primary key,
  resident_id      text not null references residents,
  from_at          timestamptz not null,
  until_at         timestamptz not null,
  staff_id         text references staff,
  family_member_id text references family_members,
  note             text not null default '',
  -- activity: somebody was up and about at home; expired: its time came; undone: taken back within a minute.
  ended_at         timestamptz,
  ended_why        text check (ended_why in ('activity', 'expired', 'person', 'undone')),
  ended_by_staff   text references staff,
  ended_by_family  text references family_members,
  check (until_at > from_at),
  check (num_nonnulls(staff_id, family_member_id) = 1),
  check ((ended_at is null) = (ended_why is null)),
  check (num_nonnulls(ended_by_staff, ended_by_family) = (case when ended_why in ('person', 'undone') then 1 else 0 end)),
  unique (resident_id, from_at)
);
create unique index absences_one_runs on absences (resident_id) where ended_at is null;

-- visit: a carer or a relative is with the resident; spoken: somebody spoke with her, who is fine.
create table visits (
  visit_id         bigint generated always as identity primary key,
  resident_id      text not null references residents,
  what             text not null check (what in ('visit', 'spoken')),
  at               timestamptz not null,
  staff_id         text references staff,
  family_member_id text references family_members,
  undone_at        timestamptz,
  check (num_nonnulls(staff_id, family_member_id) = 1)
);
create index on visits (resident_id, at desc);

-- May set away mode and say "I am here" from the private page. Both keep an alert from coming, and a link can be passed on:
-- somebody of the station gives this right by name.
alter table family_members add column may_set_away boolean not null default false;
