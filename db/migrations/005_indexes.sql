-- What was closed lately, newest first: the lower half of the console, asked for by everybody who looks.
create index alerts_closed on alerts (community_id, closed_at desc) where closed_at is not null;
