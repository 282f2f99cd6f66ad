"""HTTP for functions behind API Gateway: from an event to a response.

Entry point: ``app.App``. It finds the route (``router``) and checks that CloudFront is not bypassed
(``cdn_bypass``). It checks the key, its scopes, the query and the JSON body, as openapi.json declares them
(``operations``). It calls the handler with a ``request.Request``, and turns its ``response.Response`` or
error into API Gateway's format, with the headers of ``cors``. ``forms`` (multipart) and ``json_body`` parse
bodies, ``etag`` conditional requests. ``image_response``, ``resource_response`` (keys and webhooks),
``page_response`` (lists) and ``static_files`` build responses. Only functions import this package.
"""
