-- Whether a room's owner is of good standing. Rooms from before follow no account, so they are active.
alter table rooms add column status text not null default 'active';
