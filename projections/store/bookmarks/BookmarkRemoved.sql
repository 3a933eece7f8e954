delete from bookmarks b
using jsonb_to_recordset($1) as e("bookmarkId" uuid, sequence bigint)
where b.id = e."bookmarkId"
    and b.sequence < e.sequence
