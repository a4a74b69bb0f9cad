"""Counters of uploads."""

from genvid.metrics import Tally

received = Tally("genvid_upload_bytes_total", "Bytes of files that customers sent and we kept, by kind.", ["kind"])
refusals = Tally("genvid_upload_refusals_total", "Files that were not taken, by reason.", ["reason"])
removals = Tally(
    "genvid_upload_removals_total", "Removals of uploads here and at HeyGen: done, or to be tried again.", ["outcome"]
)
expired = Tally("genvid_uploads_expired_total", "Uploads that nothing used within their time.")
