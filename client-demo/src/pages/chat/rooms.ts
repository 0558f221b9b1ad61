// The rooms of the demo. Any other name would do: a room is there as soon as somebody is in it.

export interface Room {
  id: string;
  about: string;
}

export const ROOMS: Room[] = [
  { id: 'lobby', about: 'Everybody, about everything' },
  { id: 'kitchen', about: 'What is cooking' },
  { id: 'deliveries', about: 'What is on the road' },
];
