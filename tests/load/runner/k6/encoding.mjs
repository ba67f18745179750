export function b64encode(input, variant = 'std') {
  if (variant !== 'std') {
    throw new Error(`b64encode knows only "std" in this runner, not "${variant}"; use k6 itself`);
  }
  return Buffer.from(input).toString('base64');
}

export default { b64encode };
