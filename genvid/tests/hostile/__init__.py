"""Clients that mean harm. Each test is one trick, and proves that it comes to nothing.

Tricks with tokens are in accounts/tests/test_tokens.py, with addresses that lead inside in genvid/tests/test_http.py,
with receivers of webhooks in genvid/tests/test_http_untrusted.py, with other people's rows in
genvid/tests/test_endpoints_by_caller.py.
"""
