"""The image service, shared by all functions.

Each Lambda function parses its event, calls one use case, and responds. The use cases with their calls in
order (`catalog` functions change rows, `s3` functions handle objects):

Upload (``uploads.direct.upload_image``)
    ``image_formats.find_kind`` → ``catalog.uploads.insert`` → ``s3.put_object`` (while the ``decoder``
    inspects) → ``catalog.images.insert`` → ``analysis.enqueue.send_messages`` → ``delivery.variant_store``
Presigned upload (``uploads.presigned.create_upload``, then ``uploads.complete.complete_upload``)
    ``catalog.uploads.insert`` → ``signing.presign_post``; then ``catalog.uploads.acquire_lease`` →
    ``s3.downloaded`` → ``decoder.client.inspecting`` → ``catalog.uploads.record_object`` →
    ``s3.put_object`` → ``catalog.images.insert``
Get an upload (``uploads.get.find_upload``)
    ``catalog.uploads.find``, else ``catalog.images.find``
List (``images.list.list_images``)
    ``search.list_parameters`` → ``search.cursors`` → ``search.find_page.find_page`` → ``images.serialize``
Deliver (``delivery.deliver.deliver_image``)
    ``links.verify_link`` → ``catalog.variants.find_image``, and if the variant does not exist yet
    ``catalog.variants.acquire_lease`` → ``decoder.client.render`` → ``s3.put_object`` →
    ``catalog.variants.mark_ready`` → ``signing.presign_url``; for CloudFront (``deliver_content``)
    ``s3.downloaded``
Revoke links (``images.revoke_links.revoke_links``)
    ``catalog.budgets.spend`` → ``catalog.images.raise_link_version`` → ``s3.put_object`` (behind CloudFront)
Update (``images.update.update_image``)
    ``model.metadata.clean_changes`` → ``catalog.images.lock`` → ``catalog.images.update``
Delete (``images.delete.delete_image``)
    ``catalog.trash.move``, or permanently ``catalog.pending_removals.begin`` → ``delivery.removals``:
    ``s3.delete_objects`` → behind CloudFront ``s3.put_object`` →
    ``catalog.changes.number_all`` (if permanent) → ``catalog.pending_removals.finish``
Restore (``images.restore.restore_image``)
    ``catalog.trash.restore``; if its removal is unfinished, first ``removals.resume_removals``
Batch (``images.batch.run_batch``)
    ``images.batch_request`` → ``catalog.batches.begin`` → ``catalog.bulk_updates.find_images`` →
    ``catalog.bulk_updates.update_images``, or as Delete and Restore → ``removals.finish_removals``
Changes (``changes.feed.read_changes``, ``changes.history.read_history``)
    ``changes.cursor`` → ``catalog.changes`` → ``changes.serialize``
Invalidate (``cdn.invalidate.invalidate_images``)
    CloudFront's ``CreateInvalidation``, after a deletion or a revocation of links
Analyze (``analysis.analyze.analyze_image``)
    ``catalog.analyses.acquire_lease`` → ``decoder.client.render`` → ``gemini.describe_picture`` →
    ``catalog.analyses.save`` → ``catalog.images.update``
Webhooks (``webhooks.due.take``, ``webhook_sender.send.send_all``, ``webhooks.due.settle``)
    ``catalog.webhooks.acquire_leases`` → ``catalog.webhooks.find_changes``; outside the network
    ``addresses.find_addresses`` → ``sign.sign`` → the request; then ``retries.advance`` →
    ``catalog.webhooks.save``. On AWS ``webhooks.wake`` starts ``webhook_sender.drain`` after a change.
Sweep (``sweep.run.sweep``)
    ``sweep.expired_rows`` → ``catalog.idempotency_keys.remove_before`` → ``catalog.changes.number_all`` →
    ``catalog.facets.apply_changes`` → ``sweep.compare_stores`` → ``sweep.orphans``
Forget (``changes.retention.forget_old``)
    ``catalog.api_keys.remove_revoked`` → ``catalog.changes.drop_oldest``
Verify (``sweep.verify.verify``)
    ``versions.read_sha256`` of each original, and ``sweep.restore_objects`` → ``sweep.compare_stores``
Check a key (``api_keys.check.check_key``, at each request)
    ``api_keys.format`` → ``catalog.api_keys.use``, unless it is a root key
Keys (``api_keys.manage``)
    ``api_keys.fields`` → ``catalog.idempotency_keys.create_once`` → ``catalog.api_keys.insert``;
    ``catalog.resources`` → ``catalog.api_keys.update`` or ``revoke``
Health (``health.check_health``)
    ``db.ping`` and ``s3.check_bucket`` concurrently
Migrate (``database.migrations.migrate``)

Imports run one way: functions → http, events → use cases → search → catalog → database, storage, decoder →
pictures → cdn, webhook_sender → model → telemetry → config → errors, sigv4, deadline, actor, dns.
"""
