"""The way of a video through HeyGen: scheduling, submission, polling, webhooks, storage. Called by tasks."""
