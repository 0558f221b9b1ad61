// Before the first paint: the theme that was chosen here the last time, else the system's.
{
  let theme = null;
  try {
    theme = localStorage.getItem('roomcast-theme');
  } catch {
    // A browser that keeps nothing shows what the system prefers.
  }
  if (theme !== 'light' && theme !== 'dark') {
    theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  }
  document.documentElement.dataset.theme = theme;
}
