"""Invariants of files: one upload for each key, one file here and one asset at HeyGen for each upload that has them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from django.core.files.storage import default_storage

from avatars.enums import UploadOrigin, UploadStatus
from avatars.models import Upload
from videos.tests.chaos.customers import Customer
from videos.tests.chaos.evidence import Evidence, MadeObject


class UploadCheck:
    """`violations` names each broken invariant with its evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.uploads = {str(upload.pk): upload for upload in Upload.objects.all()}

    def violations(self) -> Iterator[str]:
        for customer in self.evidence.customers:
            yield from self._key_violations(customer)
            yield from self._file_violations(customer)
        yield from self._asset_violations()

    def _key_violations(self, customer: Customer) -> Iterator[str]:
        keys = [customer.photo_ids] if any(order.with_photo for order in customer.orders) else []
        keys += [customer.material.uploads[name] for name in customer.material.plan.files]
        if any(len(ids) != 1 for ids in keys):
            yield f"{customer.person.user.email}: its keys were answered with the uploads {keys}"
        mine = {pk for pk, each in self.uploads.items() if _is_of(each, customer)}
        if mine != set().union(*keys):
            yield f"{customer.person.user.email}: its keys made {mine}, and were answered with {keys}"

    def _file_violations(self, customer: Customer) -> Iterator[str]:
        deleted = customer.material.deleted_uploads
        for pk in deleted:
            if self.uploads[pk].file or self.uploads[pk].due_at:
                yield f"upload {pk} was deleted, and is not removed: {self.uploads[pk].waiting_reason}"
        folder = f"uploads/{customer.person.account.pk}"
        stored = set(default_storage.listdir(folder)[1]) if default_storage.exists(folder) else set()
        mine = [each for each in self.uploads.values() if each.account_id == customer.person.account.pk]
        named = {PurePosixPath(each.file.name).name: each for each in mine if each.file}
        if stored - named.keys():
            yield f"{folder} has {stored - named.keys()}, which no upload names"
        missing = [name for name, each in named.items() if each.status == UploadStatus.READY and name not in stored]
        if missing:
            yield f"{folder} lacks {missing}"

    def _asset_violations(self) -> Iterator[str]:
        """By their names, which are those of the files here: no asset hides behind another's missing answer."""
        made = self.evidence.made("asset")
        for key, count in Counter(each["idempotency_key"] for each in made).items():
            if count > 1:
                yield f"HeyGen made {count} assets of the key {key}"
        for upload_id, count in Counter(_upload_id_of(each) for each in made).items():
            if count > 1:
                yield f"upload {upload_id} was sent to HeyGen under {count} keys"
        present = {each["object_id"]: _upload_id_of(each) for each in made if each["is_present"]}
        known = {each.provider_asset_id: pk for pk, each in self.uploads.items() if each.provider_asset_id}
        for asset_id in present.keys() | known.keys():
            if present.get(asset_id) != known.get(asset_id):
                yield f"asset {asset_id} is of {present.get(asset_id)} at HeyGen, here of {known.get(asset_id)}"
        yield from (f"upload {each.pk} waits for its asset" for each in self.uploads.values() if _waits(each))


def _is_of(upload: Upload, customer: Customer) -> bool:
    return upload.account_id == customer.person.account.pk and upload.origin == UploadOrigin.CUSTOMER


def _upload_id_of(asset: MadeObject) -> str:
    return PurePosixPath(asset["name"]).stem


def _waits(upload: Upload) -> bool:
    return bool(upload.asset_key) and not upload.provider_asset_id
