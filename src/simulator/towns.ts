/**
 * The map: towns of central Germany (northern Hesse, Thuringia, Franconia, western Saxony) and the roads between
 * neighbours. The region is far from the sea and has few lakes; neighbours with a lake or a reservoir between them have
 * no road here, so that no vehicle drives on water. Rivers are crossed, as by a bridge.
 */

export interface Town {
  readonly name: string;
  /** WGS84 degrees. */
  readonly latitude: number;
  readonly longitude: number;
  /** Metres above sea level. */
  readonly altitude: number;
}

const table = {
  Kassel: [51.315, 9.45, 190],
  Göttingen: [51.5413, 9.9158, 150],
  Witzenhausen: [51.3419, 9.8578, 138],
  Heiligenstadt: [51.3789, 10.1386, 250],
  Leinefelde: [51.3869, 10.3261, 347],
  Mühlhausen: [51.2089, 10.4527, 217],
  'Bad Langensalza': [51.1081, 10.6464, 201],
  Sondershausen: [51.3667, 10.8667, 200],
  Bleicherode: [51.4403, 10.5722, 320],
  Sömmerda: [51.1594, 11.115, 150],
  Fritzlar: [51.1328, 9.2761, 220],
  Homberg: [51.0333, 9.4, 270],
  'Bad Hersfeld': [50.8683, 9.7067, 209],
  Eisenach: [50.9747, 10.3243, 220],
  Gotha: [50.9487, 10.7018, 300],
  Erfurt: [50.9787, 11.0328, 195],
  Weimar: [50.9795, 11.3235, 208],
  'Bad Berka': [50.8983, 11.2825, 280],
  Jena: [50.9272, 11.5861, 143],
  Gera: [50.8804, 12.0833, 205],
  Apolda: [51.0253, 11.5139, 175],
  Naumburg: [51.1525, 11.8098, 130],
  Altenburg: [50.9853, 12.4338, 202],
  Schmölln: [50.895, 12.3567, 210],
  Meerane: [50.8472, 12.4653, 260],
  Chemnitz: [50.8323, 12.9253, 296],
  Stollberg: [50.7083, 12.7785, 420],
  Zwickau: [50.7189, 12.4961, 267],
  Arnstadt: [50.8406, 10.9463, 280],
  Stadtilm: [50.7761, 11.0825, 350],
  Rudolstadt: [50.7169, 11.3272, 195],
  Suhl: [50.6094, 10.6931, 430],
  Meiningen: [50.5679, 10.4153, 287],
  Hildburghausen: [50.4261, 10.7289, 380],
  'Bad Neustadt': [50.3217, 10.2126, 234],
  'Bad Kissingen': [50.2003, 10.0775, 220],
  Fulda: [50.5558, 9.6808, 261],
  'Bad Brückenau': [50.3083, 9.7886, 300],
  Schlitz: [50.6739, 9.5619, 240],
  Alsfeld: [50.7511, 9.2711, 264],
  Grünberg: [50.5925, 8.9603, 273],
  Gießen: [50.5841, 8.6784, 159],
  Schweinfurt: [50.058, 10.219, 235],
  Würzburg: [49.7913, 9.9534, 177],
  Arnstein: [49.9778, 9.9697, 210],
  Hammelburg: [50.1156, 9.8914, 182],
  Kitzingen: [49.7396, 10.1624, 191],
  Geiselwind: [49.7722, 10.4703, 340],
  Coburg: [50.2612, 10.9627, 292],
  Kronach: [50.2411, 11.3278, 320],
  Kulmbach: [50.1008, 11.4503, 325],
  Bayreuth: [49.9456, 11.5713, 345],
  Münchberg: [50.1897, 11.7889, 553],
  Hof: [50.3135, 11.9128, 500],
  Hollfeld: [49.9372, 11.2917, 402],
  Bamberg: [49.8988, 10.9028, 262],
  Ebermannstadt: [49.7815, 11.1847, 292],
  Gräfenberg: [49.6439, 11.2486, 433],
  Forchheim: [49.7186, 11.0588, 266],
  Erlangen: [49.5897, 11.012, 280],
  Nürnberg: [49.4521, 11.0767, 309],
  'Neustadt an der Aisch': [49.5789, 10.6089, 292],
  Ansbach: [49.3004, 10.5719, 405],
} as const satisfies Record<string, readonly [latitude: number, longitude: number, altitude: number]>;

type TownName = keyof typeof table;

export const TOWNS: readonly Town[] = Object.entries(table).map(
  ([name, [latitude, longitude, altitude]]) => ({ name, latitude, longitude, altitude }),
);

const roads: readonly (readonly [TownName, TownName])[] = [
  ['Kassel', 'Göttingen'], ['Kassel', 'Witzenhausen'], ['Kassel', 'Fritzlar'], ['Fritzlar', 'Homberg'],
  ['Homberg', 'Bad Hersfeld'], ['Bad Hersfeld', 'Schlitz'], ['Schlitz', 'Fulda'], ['Schlitz', 'Alsfeld'],
  ['Alsfeld', 'Grünberg'], ['Grünberg', 'Gießen'], ['Fulda', 'Bad Brückenau'], ['Bad Brückenau', 'Hammelburg'],
  ['Witzenhausen', 'Heiligenstadt'], ['Heiligenstadt', 'Göttingen'], ['Heiligenstadt', 'Leinefelde'],
  ['Leinefelde', 'Mühlhausen'], ['Leinefelde', 'Bleicherode'], ['Bleicherode', 'Sondershausen'],
  ['Bleicherode', 'Mühlhausen'], ['Sondershausen', 'Sömmerda'], ['Sondershausen', 'Mühlhausen'],
  ['Mühlhausen', 'Bad Langensalza'], ['Mühlhausen', 'Eisenach'], ['Eisenach', 'Gotha'],
  ['Eisenach', 'Bad Langensalza'], ['Bad Langensalza', 'Gotha'], ['Bad Langensalza', 'Erfurt'],
  ['Sömmerda', 'Weimar'], ['Gotha', 'Erfurt'], ['Gotha', 'Arnstadt'], ['Erfurt', 'Arnstadt'], ['Erfurt', 'Weimar'],
  ['Weimar', 'Jena'], ['Weimar', 'Apolda'], ['Weimar', 'Bad Berka'], ['Bad Berka', 'Rudolstadt'],
  ['Apolda', 'Naumburg'], ['Apolda', 'Jena'], ['Jena', 'Gera'], ['Gera', 'Schmölln'], ['Schmölln', 'Altenburg'],
  ['Schmölln', 'Meerane'], ['Altenburg', 'Meerane'], ['Meerane', 'Zwickau'], ['Meerane', 'Chemnitz'],
  ['Zwickau', 'Stollberg'], ['Stollberg', 'Chemnitz'], ['Arnstadt', 'Stadtilm'], ['Stadtilm', 'Rudolstadt'],
  ['Arnstadt', 'Suhl'], ['Suhl', 'Meiningen'], ['Suhl', 'Hildburghausen'], ['Hildburghausen', 'Coburg'],
  ['Meiningen', 'Bad Neustadt'], ['Bad Neustadt', 'Bad Kissingen'], ['Bad Kissingen', 'Schweinfurt'],
  ['Bad Kissingen', 'Hammelburg'], ['Hammelburg', 'Arnstein'], ['Arnstein', 'Schweinfurt'], ['Arnstein', 'Würzburg'],
  ['Würzburg', 'Kitzingen'], ['Kitzingen', 'Geiselwind'], ['Geiselwind', 'Bamberg'],
  ['Kitzingen', 'Neustadt an der Aisch'], ['Coburg', 'Kronach'], ['Kronach', 'Kulmbach'], ['Kulmbach', 'Bayreuth'],
  ['Kulmbach', 'Münchberg'], ['Münchberg', 'Hof'], ['Bayreuth', 'Hollfeld'], ['Hollfeld', 'Bamberg'],
  ['Hollfeld', 'Ebermannstadt'], ['Ebermannstadt', 'Forchheim'], ['Ebermannstadt', 'Gräfenberg'],
  ['Gräfenberg', 'Erlangen'], ['Gräfenberg', 'Nürnberg'], ['Erlangen', 'Nürnberg'],
  ['Erlangen', 'Neustadt an der Aisch'], ['Neustadt an der Aisch', 'Ansbach'], ['Nürnberg', 'Ansbach'],
];

/** Pairs of neighbouring towns, as indices into `TOWNS`; every road is driven both ways. */
export const ROADS: readonly (readonly [number, number])[] = roads.map((ends) => [indexOf(ends[0]), indexOf(ends[1])]);

function indexOf(wanted: TownName): number {
  return TOWNS.findIndex(({ name }) => name === wanted);
}
