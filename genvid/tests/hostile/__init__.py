"""Attacks by clients: each test shows that one has no effect.

Attacks with tokens are in accounts/tests/test_tokens.py, with addresses of internal hosts in genvid/tests/test_http.py,
with receivers of webhooks in genvid/tests/test_http_untrusted.py, with rows of other accounts in
genvid/tests/test_endpoints_by_caller.py.
"""
