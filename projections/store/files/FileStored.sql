insert into files as f (id, uploader_id, blob_id, size, sequence, stored_at)
select distinct on (e."fileId")
    e."fileId", e."uploaderId", e."blobId", e.size, e.sequence, e."time"
from jsonb_to_recordset($1) as e(
    "fileId" uuid, "uploaderId" uuid, "blobId" uuid, size bigint, sequence bigint,
    "time" timestamptz
)
order by e."fileId", e.sequence desc
on conflict (id) do update
set
    uploader_id = excluded.uploader_id,
    blob_id = excluded.blob_id,
    size = excluded.size,
    sequence = excluded.sequence,
    stored_at = excluded.stored_at
where f.sequence < excluded.sequence
