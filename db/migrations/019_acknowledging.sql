-- Acknowledging by every way: at the door without logging in, by replying to the e-mail, by webhook.

alter table alert_events drop constraint alert_events_via_check;
alter table alert_events add constraint alert_events_via_check
  check (via in ('system', 'console', 'link', 'email', 'webhook'));

-- The browser in which somebody took an alert by the link may go on with that alert, as that person, without logging in.
-- One browser has one token, and a row for each alert that was taken in it.
create table door_sessions (
  token_hash bytea not null,
  alert_id   bigint not null references alerts on delete cascade,
  staff_id   text not null references staff,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (token_hash, alert_id)
);
create index on door_sessions (alert_id);
create index on door_sessions (expires_at);

-- How far each mailbox of replies has been read. A mailbox gives its mails ever higher numbers; what lies below
-- `next_uid` has been handled, in the transaction that moved it. Another `uid_validity` is another mailbox.
create table reply_mailboxes (
  mailbox      text primary key,
  uid_validity bigint not null,
  next_uid     bigint not null,
  read_at      timestamptz not null
);

-- What became of each mail that was about a page of ours. `mail_key`: a digest of what names the mail, so that one that
-- lies in the box twice, or comes again in another box, acts once.
create table reply_mails (
  mail_key   bytea primary key,
  page_id    uuid references pages on delete set null,
  handled_at timestamptz not null,
  result     text not null
);
create index on reply_mails (handled_at);
create index on reply_mails (page_id);

-- Requests by webhook that were answered, so that the same one again gets the same answer and does nothing.
create table webhook_requests (
  signature_hash bytea primary key,
  at             timestamptz not null,
  status         int not null default 0,
  body           jsonb not null default '{}'
);
create index on webhook_requests (at);
