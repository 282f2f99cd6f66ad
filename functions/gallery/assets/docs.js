// Swagger UI for the API description. The entered key stays in this page.
//
// swagger-ui-bundle.js (1.7 MB) and swagger-ui.css (0.2 MB) are unchanged from swagger-ui-dist 5.35.0 (npm); both
// licenses lie beside them. Redoc would be 1.1 MB, but cannot send requests, and it needs inline styles and an
// image from its vendor's server, which the Content-Security-Policy refuses.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  // Requests go to this page's own address, though openapi.json may name another: see PUBLIC_BASE_URL.
  responseInterceptor: (response) => Object.assign(response, response.url.endsWith("/openapi.json") && {
    text: JSON.stringify({ ...JSON.parse(response.text), servers: [{ url: "./" }] }),
  }),
});
