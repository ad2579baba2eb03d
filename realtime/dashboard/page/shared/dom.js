/** An element by its name. @param {string} id @returns {any} whatever kind it is */
export const $ = (id) => document.getElementById(id);
