// What a difference means, and the key of Roomcast's configuration that makes it go away.

/** There is no key for it. */
export const says = (means) => ({ means });

/** The key, the value that makes Roomcast do as Node does, and what to know. */
export const set = (key, value, means) => ({ means, key, value, variable: variable(key) });

/** Every key has a variable that is named after it. */
const variable = (key) => `ROOMCAST_${key.replace('.', '__').toUpperCase()}`;

/** Nothing to compare: why not. */
export const notTried = (reason) => ({ notTried: reason });
