"""HTTP for functions behind API Gateway: from an event to a response.

Enter at ``app.App``: it finds the route (``routing``), checks the key (``api_keys``), calls the handler with
a ``request.Request``, and turns its ``response.Response`` or error into what API Gateway takes, with CORS
headers. Bodies are read by ``forms`` (multipart) and ``json_body``, files served by ``static_files``. Only
functions import this room.
"""
