/** The word that goes with a number, by each language's own rules. */
export function plural(
  language: string,
  count: number,
  words: { readonly one?: string; readonly few?: string; readonly many?: string; readonly other: string },
): string {
  const category = new Intl.PluralRules(language).select(count)
  return (category === 'one' || category === 'few' || category === 'many' ? words[category] : undefined) ?? words.other
}
