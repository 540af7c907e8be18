/** The documentation page; everything it loads, we serve. */
export const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>sns API</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/swagger/assets/swagger-ui.css" />
    <style>
      body {
        margin: 0;
      }
    </style>
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/swagger/assets/swagger-ui.js"></script>
    <script src="/swagger/assets/start.js"></script>
  </body>
</html>
`
