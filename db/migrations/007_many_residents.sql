-- What pages and loops ask for where there are 100,000 residents.

-- In the order of the list, and counted, without a look at each row.
create index residents_by_name on residents (name, resident_id) include (community_id) where left_at is null;
create index residents_present on residents (community_id) where left_at is null;
-- Names and addresses in small letters, so that a search compares and does not convert: 70 ms became 15.
alter table residents add column search_text text not null generated always as (lower(name || E'\n' || address)) stored;

-- Who needs somebody, and emergencies of which nobody may have been told.
create index alerts_needing on alerts (resident_id) where closed_at is null and severity <> 'notice';
create index alerts_untaken on alerts (opened_at) where stage = 'open' and severity = 'emergency';

-- What nothing could be deleted without: each deleted page looked through all links, each alert through all episodes.
create index on page_links (page_id);
create index on alarm_episodes (alert_id);
create index on alerts (closed_at) where closed_at is not null;
create index on access_log (last_at);

-- The answer to "used, not used or unknown?" as it was when the state was folded, so that a summary of all residents
-- reads 10 MB and not 300. It holds until `holds_until` (null: until something is folded); after that it is unknown.
create table resident_knowledge (
  resident_id text primary key references residents,
  knowledge   text not null check (knowledge in ('used', 'not used', 'unknown')),
  last_use_at timestamptz,
  holds_until timestamptz
) with (fillfactor = 70);
