// The description of the API, drawn by Swagger UI from this server; it is for reading, so nothing can be sent from it.
"use strict";

const place = document.querySelector("[data-description]");
if (place) {
  SwaggerUIBundle({
    url: place.dataset.description,
    domNode: place,
    deepLinking: false,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    plugins: [() => ({ wrapComponents: { authorizeBtn: () => () => null } })],
    supportedSubmitMethods: [],
    validatorUrl: null,
  });
}
