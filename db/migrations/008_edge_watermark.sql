-- What an edge still keeps in its own journal is from this time on (null: nothing): until then silence proves nothing.
alter table edges add column kept_since timestamptz;
create index on gateways (edge_id) where online;
