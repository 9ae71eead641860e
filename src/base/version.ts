/** Version of the three programs. A test holds it equal to package.json, which no bundle carries along. */
export const version = "0.1.0";
