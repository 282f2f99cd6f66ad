"""HTTP for functions behind API Gateway: from an event to a response.

Entry point: ``app.App``. It finds the route (``router``), checks that CloudFront is not bypassed
(``cdn_bypass``) and the key (``route_scopes`` has each route's scopes), calls the handler with a
``request.Request``, and turns its ``response.Response`` or error into API Gateway's format, with the headers
of ``cors``. ``forms`` (multipart) and ``json_body`` parse bodies, ``static_files`` serves files,
``image_response`` shows an image. Only functions import this package.
"""
