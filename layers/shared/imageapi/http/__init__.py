"""HTTP for functions behind API Gateway: from an event to a response.

Enter at ``app.App``: it finds the route (``routing``), checks the key (``api_keys``), calls the handler with
a ``request.Request``, and turns its ``response.Response`` or error into what API Gateway takes, with the
headers of ``cors``. Bodies are read by ``forms`` (multipart) and ``json_body``; ``static_files`` serves
files, ``if_none_match`` tells who has them already. Only functions import this room.
"""
