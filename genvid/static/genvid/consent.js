// What a customer confirms, as the guide "Own avatars and voices" has it.

export const CONSENT = "I confirm that the face or voice in this file is my own, or that the person whom I name has agreed to its use: an artificial copy of it may be made by us and our provider HeyGen and may speak the texts of my account. I can withdraw this at any time by deleting the avatar or voice; the copy is then deleted here and at HeyGen. I will not use it to deceive anybody about who speaks.";
